// PostgreSQL: a pool of connections, and what is asked of it.
import { randomBytes, scrypt as derive, timingSafeEqual } from 'node:crypto';
import { promisify } from 'node:util';
import pg from 'pg';
import { log } from './log.js';

const scrypt = promisify(derive);
const UNIQUE_VIOLATION = '23505';

export class Database {
  constructor({ database, poolSize = 1 }) {
    this.pool = new pg.Pool({
      connectionString: database,
      max: poolSize,
      connectionTimeoutMillis: 3_000,
      statement_timeout: 10_000,
    });
    // A connection that breaks while nobody uses it is replaced by the pool; unheard, it would end the program.
    this.pool.on('error', (error) => log('warn', 'a database connection broke', { error: error.message }));
  }

  async isReady() {
    await this.pool.query('SELECT 1 FROM places LIMIT 1');
  }

  /** A new user; nothing when the name is taken. */
  async register(name, password) {
    const salt = randomBytes(16);
    const hash = await scrypt(password, salt, 32);
    try {
      const { rows } = await this.pool.query(
        'INSERT INTO users (name, salt, hash) VALUES ($1, $2, $3) RETURNING id, name',
        [name, salt, hash],
      );
      return rows[0];
    } catch (error) {
      if (error.code === UNIQUE_VIOLATION) return undefined;
      throw error;
    }
  }

  async authenticated(name, password) {
    const { rows } = await this.pool.query('SELECT id, name, salt, hash FROM users WHERE name = $1', [name]);
    const [user] = rows;
    const hash = await scrypt(password, user?.salt ?? Buffer.alloc(16), 32);
    return user && timingSafeEqual(hash, user.hash) ? user : undefined;
  }

  async places() {
    const { rows } = await this.pool.query(
      'SELECT name, latitude, longitude FROM places ORDER BY id DESC LIMIT 100',
    );
    return rows;
  }

  /** Writing the same place again changes nothing. */
  async keep(user, { name, latitude, longitude }) {
    await this.pool.query(
      `INSERT INTO places (name, latitude, longitude, added_by) VALUES ($1, $2, $3, $4)
       ON CONFLICT (name) DO UPDATE SET latitude = EXCLUDED.latitude, longitude = EXCLUDED.longitude`,
      [name, latitude, longitude, user],
    );
  }

  async close() {
    await this.pool.end();
  }
}
