from activities.advice import advised


def test_a_code_that_tells_what_to_do_says_so() -> None:
    assert advised("sql.invalid_catalog_name", "Unknown database 'x'") == (
        "Unknown database 'x'; make the database, or name another one"
    )


def test_any_other_code_is_left_as_it_is() -> None:
    assert advised("internal", "mysql: KeyError") == "mysql: KeyError"
