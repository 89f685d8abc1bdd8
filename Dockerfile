# There is no build: Node runs the TypeScript sources as they are (docs/adr/0011-typescript-without-a-build.md).
# deploy/prove-image.sh performs these steps where no container engine runs.
FROM node:26-slim
ENV NODE_ENV=production
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci --omit=dev --ignore-scripts
COPY src ./src
COPY adapters ./adapters
COPY contracts ./contracts
RUN install -d -o 1000 -g 1000 -m 700 /var/lib/crocevia
VOLUME /var/lib/crocevia
# The user `node` of the base image, as numbers, so that an orchestrator can tell that it is not root.
USER 1000:1000
EXPOSE 8443 9090
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s --retries=3 CMD ["node", "-e", "fetch('http://127.0.0.1:9090/live', { signal: AbortSignal.timeout(2500) }).then((answer) => process.exit(answer.ok ? 0 : 1), () => process.exit(1))"]
CMD ["node", "--max-semi-space-size=64", "--external-memory-accounted-in-global-limit", "src/main.ts", "--config", "/etc/crocevia/federation.json"]
