// What can be asked of Atlas.
import { log } from './log.js';

const LARGEST_BODY = 64 * 1024;
const CHECK_MILLISECONDS = 2_000;

class Refusal extends Error {
  constructor(status, message, headers = {}) {
    super(message);
    Object.assign(this, { status, headers });
  }
}

/** The body of a request as JSON. */
async function body(request) {
  const chunks = [];
  let size = 0;
  for await (const chunk of request) {
    size += chunk.length;
    if (size > LARGEST_BODY) throw new Refusal(413, 'the body is too large', { connection: 'close' });
    chunks.push(chunk);
  }
  try {
    return JSON.parse(Buffer.concat(chunks).toString('utf8'));
  } catch {
    throw new Refusal(400, 'the body is not JSON');
  }
}

function credentials({ name, password } = {}) {
  const fits = typeof name === 'string' && /^[\w.-]{1,64}$/.test(name);
  if (!fits || typeof password !== 'string' || password.length < 8 || password.length > 200) {
    throw new Refusal(422, 'a name of letters and digits and a password of 8 to 200 characters are needed');
  }
  return [name, password];
}

function place(name, { latitude, longitude } = {}) {
  const within = (number, most) => typeof number === 'number' && Math.abs(number) <= most;
  if (name.length > 200 || !within(latitude, 90) || !within(longitude, 180)) {
    throw new Refusal(422, 'latitude and longitude are needed, in degrees');
  }
  return { name, latitude, longitude };
}

async function check(work) {
  const begun = performance.now();
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${CHECK_MILLISECONDS} ms`)), CHECK_MILLISECONDS);
  });
  try {
    await Promise.race([work, late]);
    return { ok: true, milliseconds: Math.round(performance.now() - begun) };
  } catch (error) {
    return { ok: false, error: error.message };
  } finally {
    clearTimeout(timer);
  }
}

export function routes({ database, redis, sessions, version, instance, isStopping }) {
  async function ready() {
    const [inDatabase, inRedis] = await Promise.all([check(database.isReady()), check(redis.ping())]);
    const ok = inDatabase.ok && inRedis.ok && !isStopping();
    return [ok ? 200 : 503, { ready: ok, stopping: isStopping(), database: inDatabase, redis: inRedis }];
  }

  async function signedIn(request) {
    const session = await sessions.of(request.headers.authorization);
    if (!session) throw new Refusal(401, 'sign in first', { 'www-authenticate': 'Bearer' });
    await withinLimit(`user:${session.user}`);
    return session;
  }

  async function withinLimit(who) {
    const seconds = await sessions.tooMany(who);
    if (seconds) throw new Refusal(429, 'too many requests', { 'retry-after': String(seconds) });
  }

  async function signIn(request) {
    const [name, password] = credentials(await body(request));
    await withinLimit(`name:${name}`);
    const user = await database.authenticated(name, password);
    if (!user) throw new Refusal(401, 'name or password is wrong');
    return [200, { token: await sessions.open(user) }];
  }

  async function register(request) {
    const user = await database.register(...credentials(await body(request)));
    if (!user) throw new Refusal(409, 'the name is taken');
    return [201, { id: user.id, name: user.name }];
  }

  async function answer(request) {
    const { pathname } = new URL(request.url, 'http://atlas');
    const named = pathname.match(/^\/places\/([^/]+)$/);
    switch (named ? `${request.method} /places/{name}` : `${request.method} ${pathname}`) {
      case 'GET /':
      case 'GET /version':
        return [200, { name: 'atlas', version, instance }];
      case 'GET /health':
        return [200, { status: 'ok', version }];
      case 'GET /ready':
        return ready();
      case 'POST /users':
        return register(request);
      case 'POST /sessions':
        return signIn(request);
      case 'DELETE /sessions':
        await sessions.close(await signedIn(request));
        return [204];
      case 'GET /me': {
        const { user, name } = await signedIn(request);
        return [200, { user, name, instance }];
      }
      case 'GET /places':
        await signedIn(request);
        return [200, { places: await database.places() }];
      case 'PUT /places/{name}': {
        const { user } = await signedIn(request);
        await database.keep(user, place(decodeURIComponent(named[1]), await body(request)));
        return [204];
      }
      default:
        throw new Refusal(404, 'there is nothing here');
    }
  }

  return async (request) => {
    try {
      return await answer(request);
    } catch (error) {
      if (error instanceof Refusal) return [error.status, { error: error.message }, error.headers];
      if (error instanceof URIError) return [400, { error: 'the address is not well-formed' }];
      log('error', 'a request failed', { path: request.url, error: error.message });
      return [500, { error: 'something went wrong here' }];
    }
  };
}
