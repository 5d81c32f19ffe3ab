# The daemon: docker build -t trireme .
# Where no registry is reachable, `node scripts/ensure.mjs --images daemon` builds it from a local base that
# has git, ssh and Node but no npm; the packages then come with the build context.
ARG BASE=node:24-slim
FROM ${BASE}
RUN command -v git && command -v ssh || { \
      apt-get update && apt-get install -y --no-install-recommends git openssh-client ca-certificates && \
      rm -rf /var/lib/apt/lists/*; }
WORKDIR /opt/trireme
COPY package.json package-lock.json ./
# No install scripts: the Node of the base image runs everything.
RUN ! command -v npm || { npm ci --omit=dev --ignore-scripts --no-audit --no-fund && npm cache clean --force; }
COPY . .
RUN ln -s /opt/trireme/bin/trireme /usr/local/bin/trireme && trireme --version
ENV NODE_ENV=production TRIREME_DATA_DIR=/var/lib/trireme
VOLUME /var/lib/trireme
EXPOSE 9440
ENTRYPOINT ["trireme"]
CMD ["--help"]
