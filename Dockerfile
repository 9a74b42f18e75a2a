# The dashboard on a CPU: docker build -t crowdselect . && docker compose up
# Without torch: browse, select, export, ask chat servers. EXTRAS chooses what more comes along.
FROM python:3.12-slim AS build
WORKDIR /source
COPY . .
RUN pip wheel --no-cache-dir --no-deps --wheel-dir /wheels .

FROM python:3.12-slim
ARG EXTRAS=search,server
ENV PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    HOME=/tmp \
    NUMBA_CACHE_DIR=/tmp/numba \
    CROWDSELECT_WORKSPACE=/data
RUN --mount=type=bind,from=build,source=/wheels,target=/wheels \
    --mount=type=bind,source=constraints.txt,target=/constraints.txt \
    pip install --no-cache-dir --constraint /constraints.txt "$(ls /wheels/*.whl)[${EXTRAS}]" \
    && useradd --uid 10001 --no-create-home --shell /usr/sbin/nologin crowd \
    && install --directory --owner=10001 --group=10001 /data
USER 10001
VOLUME /data
EXPOSE 8501
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s \
    CMD ["python", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:8501/_stcore/health', timeout=4)"]
ENTRYPOINT ["crowdselect"]
CMD ["serve", "--host", "0.0.0.0", "--no-browser"]
