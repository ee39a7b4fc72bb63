# One image for every process of Cronny: `python -m api`, `python -m worker`, `python -m cronny.migrate`.
FROM python:3.11-slim-bookworm AS build
WORKDIR /src
COPY requirements.lock ./
RUN python -m venv /opt/cronny \
    && /opt/cronny/bin/pip install --no-cache-dir --require-hashes -r requirements.lock
COPY . .
RUN /opt/cronny/bin/pip install --no-cache-dir --no-deps .

FROM python:3.11-slim-bookworm
RUN useradd --system --uid 10001 --create-home --home-dir /var/lib/cronny cronny
COPY --from=build /opt/cronny /opt/cronny
# Every process computes with the pinned time zones, never with those of the image.
ENV PATH=/opt/cronny/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONTZPATH="" \
    CRONNY_DATA_DIR=/var/lib/cronny \
    CRONNY_LOG_FORMAT=json
USER cronny
# A volume that is mounted here belongs to the user, too.
RUN mkdir -m 700 /var/lib/cronny/blobs
WORKDIR /var/lib/cronny
CMD ["cronny", "--help"]
