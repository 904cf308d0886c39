# A Meltano project with the tap and target-snowflake, for a job that runs and ends.
# It holds no settings: they come as environment variables, state goes to a remote
# backend (MELTANO_STATE_BACKEND_URI), and credentials to the volume. docs/nightly.md
# shows how to run it.
FROM python:3.13-slim

ENV MELTANO_SEND_ANONYMOUS_USAGE_STATS=false \
    PYTHONUNBUFFERED=1 \
    TAP_DRCHRONO_CREDENTIALS_PATH=/var/lib/tap-drchrono/credentials.json

RUN pip install --no-cache-dir "meltano[azure,gcs,s3]>=4.4,<5"

WORKDIR /project
COPY LICENSE README.md meltano.yml pyproject.toml requirements.lock ./
COPY tap_drchrono ./tap_drchrono

# The version comes from git, which is not here: pass it with --build-arg.
ARG VERSION=0.1.0
# What the tap depends on is what was tested, by hash.
RUN SETUPTOOLS_SCM_PRETEND_VERSION_FOR_TAP_DRCHRONO="$VERSION" \
    UV_CONSTRAINT=/project/requirements.lock \
    UV_NO_CACHE=1 \
    UV_NO_SOURCES=1 \
    meltano install extractor tap-drchrono
RUN UV_NO_CACHE=1 meltano install loader target-snowflake

# The volume takes over the owner and mode of the directory at its first use.
RUN useradd --uid 10001 --create-home tap \
    && install --directory --owner tap --mode 0700 /var/lib/tap-drchrono \
    && chown --recursive tap /project
VOLUME /var/lib/tap-drchrono

USER tap
ENTRYPOINT ["meltano", "--environment=prod"]
CMD ["run", "tap-drchrono", "target-snowflake"]
