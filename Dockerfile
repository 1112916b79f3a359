# Stage 1 installs what the lock file names and builds our own wheel; stage 2 runs it.
FROM python:3.11-slim AS build
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
        /wheels/*.whl

FROM python:3.11-slim
# The interpreter's own pip and setuptools have no business in a running service.
RUN pip uninstall --yes setuptools wheel pip \
    && useradd --system --uid 10001 --home-dir /data --create-home backpath
COPY --from=build /opt/backpath /opt/backpath
COPY fhir_fixtures /data/fhir_fixtures
WORKDIR /data
USER 10001
ENV PATH=/opt/backpath/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    BACKPATH_HOST=0.0.0.0 \
    BACKPATH_PORT=8000 \
    BACKPATH_DATABASE_URL=sqlite:////data/backpath.sqlite3
EXPOSE 8000
VOLUME /data
HEALTHCHECK --interval=30s --timeout=3s --start-period=5s --retries=3 \
    CMD ["python", "-c", "import os, urllib.request; urllib.request.urlopen('http://127.0.0.1:' + os.environ['BACKPATH_PORT'] + '/health', timeout=2)"]
CMD ["backpath", "serve"]
