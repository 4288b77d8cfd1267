// Sessions: a signed token names one, Redis holds it, so every replica knows it and a logout ends it everywhere.
import { randomUUID } from 'node:crypto';
import { SignJWT, jwtVerify } from 'jose';

const LIFETIME_SECONDS = 12 * 60 * 60;
const WINDOW_SECONDS = 60;

export class Sessions {
  constructor(redis, { secret, rateLimit }) {
    Object.assign(this, { redis, secret, rateLimit });
  }

  async open(user) {
    const id = randomUUID();
    await this.redis.set(`session:${id}`, JSON.stringify({ user: user.id, name: user.name }), 'EX', LIFETIME_SECONDS);
    return new SignJWT({ name: user.name })
      .setProtectedHeader({ alg: 'HS256' })
      .setSubject(String(user.id))
      .setJti(id)
      .setIssuedAt()
      .setExpirationTime(`${LIFETIME_SECONDS}s`)
      .sign(this.secret);
  }

  /** The session that an `Authorization` header names; nothing when it is forged, expired or was closed. */
  async of(header) {
    const token = header?.match(/^Bearer (\S+)$/)?.[1];
    if (!token) return undefined;
    let id;
    try {
      id = (await jwtVerify(token, this.secret, { algorithms: ['HS256'] })).payload.jti;
    } catch {
      return undefined;
    }
    const kept = await this.redis.get(`session:${id}`);
    return kept ? { id, ...JSON.parse(kept) } : undefined;
  }

  async close(session) {
    await this.redis.del(`session:${session.id}`);
  }

  /** Counts a request; answers how many seconds to wait when there were too many within a minute. */
  async tooMany(who) {
    const window = Math.floor(Date.now() / 1000 / WINDOW_SECONDS);
    const key = `rate:${who}:${window}`;
    const [[, count]] = await this.redis.multi().incr(key).expire(key, WINDOW_SECONDS * 2).exec();
    return count > this.rateLimit ? WINDOW_SECONDS - (Math.floor(Date.now() / 1000) % WINDOW_SECONDS) : 0;
  }
}
