// Brings the schema up to date and ends; doing it again changes nothing, and two at once do it once.
import { readFile, readdir } from 'node:fs/promises';
import { setTimeout as pause } from 'node:timers/promises';
import pg from 'pg';
import { log } from './log.js';
import { settings } from './settings.js';

const FOLDER = new URL('../migrations/', import.meta.url);
const LOCK = 7_315_022;
const PATIENCE_MILLISECONDS = 45_000;

/** A connection; the database may still be starting. */
async function connected(connectionString) {
  const deadline = Date.now() + PATIENCE_MILLISECONDS;
  for (;;) {
    const client = new pg.Client({ connectionString, connectionTimeoutMillis: 3_000 });
    try {
      await client.connect();
      return client;
    } catch (error) {
      await client.end().catch(() => {});
      if (Date.now() > deadline) throw error;
      await pause(500);
    }
  }
}

async function migrate() {
  const client = await connected(settings(process.env, 'migrate').database);
  try {
    await client.query('SELECT pg_advisory_lock($1)', [LOCK]);
    await client.query(
      'CREATE TABLE IF NOT EXISTS migrations (name text PRIMARY KEY, done timestamptz NOT NULL DEFAULT now())',
    );
    const { rows } = await client.query('SELECT name FROM migrations');
    const done = new Set(rows.map((row) => row.name));
    const names = (await readdir(FOLDER)).filter((name) => name.endsWith('.sql')).sort();
    for (const name of names.filter((name) => !done.has(name))) {
      await client.query('BEGIN');
      await client.query(await readFile(new URL(name, FOLDER), 'utf8'));
      await client.query('INSERT INTO migrations (name) VALUES ($1)', [name]);
      await client.query('COMMIT');
      log('info', 'migrated', { name });
    }
    log('info', 'the schema is up to date', { migrations: names.length });
  } finally {
    await client.end();
  }
}

migrate().catch((error) => {
  log('error', error.message);
  process.exit(1);
});
