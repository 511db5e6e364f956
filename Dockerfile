# One image for web, worker, sweeper and archive host; docker-compose.yml gives each its command.
FROM python:3.11-slim-bookworm AS build

ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
RUN python -m venv /opt/venv
COPY requirements-services.txt .
RUN /opt/venv/bin/pip install --require-hashes -r requirements-services.txt


FROM python:3.11-slim-bookworm

ENV PATH=/opt/venv/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    MALLOC_ARENA_MAX=2 \
    DJANGO_SETTINGS_MODULE=factcheck.settings \
    FACTCHECK_VAR=/var/lib/factcheck

# A fixed id, so that a volume made by one version of the image is writable by the next.
RUN groupadd --system --gid 10001 factcheck \
 && useradd --system --uid 10001 --gid factcheck --home-dir /var/lib/factcheck --shell /usr/sbin/nologin factcheck \
 && install --directory --owner=factcheck --group=factcheck --mode=0700 /var/lib/factcheck /var/lib/factcheck-keys

# `--build-arg BROWSER=1` brings Chromium, for pages that show their words only to a browser.
ARG BROWSER=""
RUN if [ -n "$BROWSER" ]; then apt-get update \
 && apt-get install --yes --no-install-recommends chromium fonts-noto-core \
 && rm -rf /var/lib/apt/lists/*; fi

COPY --from=build /opt/venv /opt/venv
WORKDIR /app
COPY LICENSE manage.py ./
COPY factcheck factcheck
RUN python -m compileall -q factcheck

USER factcheck
VOLUME /var/lib/factcheck
EXPOSE 8000
CMD ["gunicorn", "factcheck.wsgi", "--bind", "0.0.0.0:8000", "--worker-class", "gthread", "--workers", "2", "--threads", "8", "--no-control-socket"]
