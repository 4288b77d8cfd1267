// What the program is told from outside, read once; what is missing or insecure is told all at once.
import { readFileSync } from 'node:fs';

const WEAK = ['change-me', 'changeme', 'secret', 'password', 'atlas', 'postgres', 'development'];
const SHORTEST_SECRET = 32;

/** A variable, or the contents of the file that `NAME_FILE` names. */
function value(environment, name, problems) {
  const file = environment[`${name}_FILE`];
  if (!file) return environment[name];
  try {
    return readFileSync(file, 'utf8').trim();
  } catch (error) {
    problems.push(`${name}_FILE names a file that cannot be read (${error.code})`);
  }
}

function whole(environment, name, fallback, least, problems) {
  const text = environment[name] ?? String(fallback);
  const number = Number(text);
  if (!Number.isInteger(number) || number < least) {
    problems.push(`${name} must be a whole number, ${least} or more`);
  }
  return number;
}

/** An address with its password put in, which in production comes by itself, as a file. */
function address(environment, name, password, problems) {
  const text = value(environment, name, problems);
  if (!text) {
    problems.push(`${name} is not set`);
    return undefined;
  }
  try {
    const url = new URL(text);
    if (password) url.password = password;
    return url;
  } catch {
    problems.push(`${name} is not a URL`);
  }
}

function isWeak(secret) {
  return WEAK.some((word) => secret.toLowerCase().startsWith(word));
}

/** The settings of the web service; `only` leaves out what the migration does not need. */
export function settings(environment = process.env, only = 'web') {
  const problems = [];
  const production = environment.NODE_ENV === 'production';
  const databasePassword = value(environment, 'DATABASE_PASSWORD', problems);
  const database = address(environment, 'DATABASE_URL', databasePassword, problems);
  const wanted = { production, database: database?.href, version: environment.APP_VERSION ?? 'development' };
  const checked = [['the password of DATABASE_URL', database?.password, 12]];
  if (only === 'web') {
    const redisPassword = value(environment, 'REDIS_PASSWORD', problems);
    const redis = address(environment, 'REDIS_URL', redisPassword, problems);
    const secret = value(environment, 'JWT_SECRET', problems);
    if (!secret) problems.push('JWT_SECRET is not set');
    checked.push(['JWT_SECRET', secret, SHORTEST_SECRET], ['the password of REDIS_URL', redis?.password, 12]);
    Object.assign(wanted, {
      redis: redis?.href,
      secret: new TextEncoder().encode(secret ?? ''),
      port: whole(environment, 'PORT', 3000, 0, problems),
      rateLimit: whole(environment, 'API_RATE_LIMIT', 120, 1, problems),
      poolSize: whole(environment, 'DATABASE_POOL', 10, 1, problems),
      stopSeconds: whole(environment, 'STOP_SECONDS', 25, 1, problems),
    });
  }
  for (const [name, secret, shortest] of production ? checked : []) {
    if (secret === undefined) continue;
    if (isWeak(secret)) problems.push(`${name} is a default that everybody knows`);
    else if (secret.length < shortest) problems.push(`${name} is shorter than ${shortest} characters`);
  }
  if (problems.length > 0) {
    throw new Error(`atlas does not start:\n${problems.map((problem) => `  - ${problem}`).join('\n')}`);
  }
  return wanted;
}
