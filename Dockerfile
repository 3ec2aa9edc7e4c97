# The command cmek-audit. It runs as nobody in particular, on a root that is read only, and writes
# where it is told to: to a folder mounted at /audit, and to /tmp.
FROM python:3.13-slim AS build
# The clouds that can be asked about keys, such as aws,gcp,azure: each needs its vendor's library.
ARG EXTRAS=""
WORKDIR /source
COPY . .
RUN python -m venv /opt/cmek-audit \
    && /opt/cmek-audit/bin/pip install --quiet --no-cache-dir --disable-pip-version-check \
        --constraint constraints.txt ".${EXTRAS:+[$EXTRAS]}"

FROM python:3.13-slim
COPY --from=build /opt/cmek-audit /opt/cmek-audit
ENV PATH=/opt/cmek-audit/bin:$PATH PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1
WORKDIR /audit
USER 10001:10001
STOPSIGNAL SIGINT
ENTRYPOINT ["cmek-audit"]
CMD ["--help"]
