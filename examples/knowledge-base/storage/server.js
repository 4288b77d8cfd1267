// Object storage that speaks S3: s3rver, with a key of our own. It keeps objects as files.
const S3rver = require('s3rver');
const AWSAccount = require('s3rver/lib/models/account');

const secret = process.env.STORAGE_SECRET_KEY ?? '';
const weak = /^(change-?me|secret|password|minioadmin|S3RVER)/i.test(secret) || secret.length < 16;
if (!secret || (process.env.ENVIRONMENT === 'production' && weak)) {
  console.error('storage does not start:\n  - STORAGE_SECRET_KEY is missing, or is one that everybody knows');
  process.exit(1);
}
new AWSAccount('1001', 'knowledge').createKeyPair('knowledge', secret);
AWSAccount.registry.delete('S3RVER');

// A name such as `storage` is the server's, not a bucket's.
const server = new S3rver({
  address: '0.0.0.0',
  port: 9000,
  directory: '/objects',
  silent: true,
  vhostBuckets: false,
  configureBuckets: [{ name: 'documents' }],
});
server.run();
for (const signal of ['SIGTERM', 'SIGINT']) process.on(signal, () => server.close(() => process.exit(0)));
