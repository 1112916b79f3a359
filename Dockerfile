# Stage 1 installs what the lock file names and builds our own wheel; stage 2 runs it.
# For a release, name the base by its digest: --build-arg PYTHON_IMAGE=python:3.11-slim@sha256:…
ARG PYTHON_IMAGE=python:3.11-slim
FROM ${PYTHON_IMAGE} AS build
WORKDIR /build
COPY .requirements.lock .requirements-build.lock ./
RUN python -m venv --without-pip /opt/backpath \
    && pip install --no-cache-dir --require-hashes -r .requirements-build.lock \
    && pip --python /opt/backpath/bin/python install --no-cache-dir --only-binary :all: \
        --require-hashes -r .requirements.lock
COPY pyproject.toml README.md LICENSE ./
COPY service service
COPY cards cards
RUN pip wheel --no-cache-dir --no-deps --no-build-isolation --no-index --wheel-dir /wheels . \
    && pip --python /opt/backpath/bin/python install --no-cache-dir --no-deps --no-index \
        /wheels/*.whl \
    # Leaves the content compiled; the service itself may not write there.
    && /opt/backpath/bin/backpath trace > /dev/null

FROM ${PYTHON_IMAGE}
LABEL org.opencontainers.image.title="Backpath" \
    org.opencontainers.image.description="Clinical decision support for back pain over CDS Hooks" \
    org.opencontainers.image.licenses="Apache-2.0"
# The interpreter's own pip and setuptools have no business in a running service.
RUN pip uninstall --yes setuptools wheel pip \
    && useradd --system --uid 10001 --home-dir /data --create-home backpath
COPY --from=build /opt/backpath /opt/backpath
COPY fhir_fixtures /opt/backpath/fhir_fixtures
WORKDIR /opt/backpath
USER 10001
ENV PATH=/opt/backpath/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    BACKPATH_HOST=0.0.0.0 \
    BACKPATH_PORT=8000 \
    BACKPATH_DATABASE_URL=sqlite:////data/backpath.sqlite3
EXPOSE 8000
# The SQLite file; with PostgreSQL nothing is written here. Counts of the workers go to /dev/shm,
# so the root file system can be read-only when /tmp is not.
VOLUME /data
# A call in progress may take 30 seconds to finish: docker stop --time 40.
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=3s --start-period=10s --retries=3 \
    CMD ["python", "-c", "import os, urllib.request; urllib.request.urlopen('http://127.0.0.1:' + os.environ['BACKPATH_PORT'] + '/health', timeout=2)"]
CMD ["backpath", "serve"]
