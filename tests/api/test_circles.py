from httpx import AsyncClient

CALL = 'version: 1\nname: {name}\nstages: [{{id: a, uses: action, with: {{action: "{other}"}}}}]\n'


async def put(acme: AsyncClient, name: str, other: str) -> tuple[int, list[str]]:
    answer = await acme.put(f"/v1/actions/{name}", content=CALL.format(name=name, other=other))
    return answer.status_code, [one["where"] for one in answer.json().get("problems", ())]


async def test_actions_that_call_one_another_in_a_circle_are_refused(acme: AsyncClient) -> None:
    answers = [await put(acme, *pair.split()) for pair in ("a b", "b c", "c a", "c d", "d d")]
    refused = (422, ["stages.a.with.action"])
    assert answers == [(201, []), (201, []), refused, (201, []), refused]


async def test_what_only_the_inputs_tell_is_found_when_it_runs(acme: AsyncClient) -> None:
    assert await put(acme, "a", "${{ trigger.action }}") == (201, [])
