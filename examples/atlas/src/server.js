// The web service: starts, serves, and on SIGTERM finishes what it has before it goes.
import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import { hostname } from 'node:os';
import { Redis } from 'ioredis';
import { Database } from './database.js';
import { log } from './log.js';
import { routes } from './routes.js';
import { Sessions } from './sessions.js';
import { settings } from './settings.js';

// Longer than a load balancer in front keeps a connection idle, so that none is closed under a request.
const KEEP_ALIVE_MILLISECONDS = 75_000;

function begin() {
  try {
    return settings();
  } catch (error) {
    log('error', error.message);
    process.exit(1);
  }
}

const told = begin();
const database = new Database(told);
const redis = new Redis(told.redis, { maxRetriesPerRequest: 2, connectTimeout: 3_000, commandTimeout: 3_000 });
redis.on('error', (error) => log('warn', 'Redis does not answer', { error: error.message }));
const sessions = new Sessions(redis, told);

let stopping = false;
const respond = routes({
  database,
  redis,
  sessions,
  version: told.version,
  instance: hostname(),
  isStopping: () => stopping,
});

const server = createServer({ keepAliveTimeout: KEEP_ALIVE_MILLISECONDS }, async (request, response) => {
  const begun = performance.now();
  const id = request.headers['x-request-id'] ?? randomUUID();
  const [status, content, headers = {}] = await respond(request);
  const text = content === undefined ? '' : JSON.stringify(content);
  response.writeHead(status, {
    'x-request-id': id,
    ...(text && { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) }),
    ...(stopping && { connection: 'close' }),
    ...headers,
  });
  response.end(text);
  const milliseconds = Math.round((performance.now() - begun) * 10) / 10;
  const quiet = request.url === '/health' || request.url === '/ready';
  if (!quiet || status >= 400) {
    log('info', 'request', { request_id: id, method: request.method, path: request.url, status, milliseconds });
  }
});

async function stop(signal) {
  if (stopping) return;
  stopping = true;
  log('info', 'stopping', { signal });
  const late = setTimeout(() => {
    log('error', `requests were still under way after ${told.stopSeconds} s`);
    process.exit(1);
  }, told.stopSeconds * 1000);
  late.unref();
  await new Promise((done) => {
    server.close(done);
    server.closeIdleConnections();
  });
  await Promise.allSettled([database.close(), redis.quit()]);
  log('info', 'stopped');
  process.exit(0);
}

for (const signal of ['SIGTERM', 'SIGINT']) process.on(signal, () => stop(signal));
server.listen(told.port, '0.0.0.0', () => {
  log('info', 'listening', { port: server.address().port, version: told.version });
});
