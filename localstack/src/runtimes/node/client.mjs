// Runs a Node.js handler under the Lambda Runtime API: one event at a time, as AWS's own runtime does.
// https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
import fs from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { format } from 'node:util';

const [host, port] = process.env.AWS_LAMBDA_RUNTIME_API.split(':');
const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
const EXTENSIONS = ['.js', '.mjs', '.cjs'];
let requestId = '';

function call(method, route, body, headers = {}) {
  return new Promise((resolve, reject) => {
    const request = http.request({ host, port, agent, method, path: `/2018-06-01/runtime/${route}`, headers }, (answer) => {
      const parts = [];
      answer.on('data', (part) => parts.push(part));
      answer.on('end', () => resolve({ status: answer.statusCode, headers: answer.headers, body: Buffer.concat(parts).toString() }));
      answer.on('error', reject);
    });
    request.on('error', reject);
    request.end(body);
  });
}

function described(error) {
  if (error instanceof Error) {
    return { errorType: error.name, errorMessage: error.message, trace: (error.stack ?? '').split('\n') };
  }
  return { errorType: typeof error, errorMessage: String(error), trace: [] };
}

function fail(route, error) {
  const body = described(error);
  const headers = { 'content-type': 'application/json', 'Lambda-Runtime-Function-Error-Type': body.errorType };
  console.error(body.trace.join('\n') || `${body.errorType}: ${body.errorMessage}`);
  return call('POST', route, JSON.stringify(body), headers);
}

// Lines as AWS's runtime writes them: time, request id, level, text.
for (const [name, level] of Object.entries({ debug: 'DEBUG', error: 'ERROR', info: 'INFO', log: 'INFO', trace: 'TRACE', warn: 'WARN' })) {
  const out = level === 'ERROR' || level === 'WARN' ? process.stderr : process.stdout;
  console[name] = (...texts) => out.write(`${new Date().toISOString()}\t${requestId}\t${level}\t${format(...texts)}\n`);
}

async function load() {
  const named = process.env._HANDLER ?? '';
  const folder = path.dirname(named);
  const [file, ...names] = path.basename(named).split('.');
  if (!file || names.length === 0) {
    throw Object.assign(new Error(`"file.function" was expected as Handler; "${named}" came`), { name: 'Runtime.MalformedHandlerName' });
  }
  const base = path.resolve(process.env.LAMBDA_TASK_ROOT ?? '.', folder, file);
  const found = EXTENSIONS.map((extension) => base + extension).find((candidate) => fs.existsSync(candidate));
  if (!found) {
    throw Object.assign(new Error(`no module at ${base} (${EXTENSIONS.join(', ')})`), { name: 'Runtime.ImportModuleError' });
  }
  const module = await import(pathToFileURL(found));
  const pick = (from) => names.reduce((value, name) => value?.[name], from);
  const handler = pick(module) ?? pick(module.default);
  if (typeof handler !== 'function') {
    throw Object.assign(new Error(`${named} is undefined or not exported`), { name: 'Runtime.HandlerNotFound' });
  }
  return handler;
}

function contextOf(headers, callback) {
  const deadline = Number(headers['lambda-runtime-deadline-ms']);
  const json = (name) => (headers[name] ? JSON.parse(headers[name]) : undefined);
  return {
    callbackWaitsForEmptyEventLoop: true,
    functionName: process.env.AWS_LAMBDA_FUNCTION_NAME,
    functionVersion: process.env.AWS_LAMBDA_FUNCTION_VERSION,
    invokedFunctionArn: headers['lambda-runtime-invoked-function-arn'],
    memoryLimitInMB: process.env.AWS_LAMBDA_FUNCTION_MEMORY_SIZE,
    awsRequestId: headers['lambda-runtime-aws-request-id'],
    logGroupName: process.env.AWS_LAMBDA_LOG_GROUP_NAME,
    logStreamName: process.env.AWS_LAMBDA_LOG_STREAM_NAME,
    clientContext: json('lambda-runtime-client-context'),
    identity: json('lambda-runtime-cognito-identity'),
    getRemainingTimeInMillis: () => deadline - Date.now(),
    done: (error, result) => callback(error, result),
    fail: (error) => callback(error ?? new Error('handled')),
    succeed: (result) => callback(null, result),
  };
}

// A promise answers when it is settled; a callback, or no answer at all, once nothing is left to do.
function run(handler, event, headers) {
  return new Promise((resolve, reject) => {
    let answer = () => resolve(null);
    const emptied = () => answer();
    const callback = (error, result) => {
      answer = () => (error ? reject(error) : resolve(result));
      if (!context.callbackWaitsForEmptyEventLoop) answer();
    };
    const context = contextOf(headers, callback);
    process.removeAllListeners('beforeExit').once('beforeExit', emptied);
    const returned = handler(event, context, callback);
    if (typeof returned?.then === 'function') {
      process.removeListener('beforeExit', emptied);
      // A promise that nothing will settle any more answers null, as on AWS.
      process.once('beforeExit', () => resolve(null));
      returned.then(resolve, reject);
    }
  });
}

async function fatal(type, error) {
  const route = requestId ? `invocation/${requestId}/error` : 'init/error';
  const named = Object.assign(error instanceof Error ? error : new Error(String(error)), { name: type ?? error?.name });
  await fail(route, named).catch(() => {});
  process.exit(129);
}
process.on('uncaughtException', (error) => fatal(undefined, error));
process.on('unhandledRejection', (error) => fatal('Runtime.UnhandledPromiseRejection', error));

let handler;
try {
  handler = await load();
} catch (error) {
  await fail('init/error', error);
  process.exit(1);
}
for (;;) {
  const next = await call('GET', 'invocation/next');
  requestId = next.headers['lambda-runtime-aws-request-id'];
  process.env._X_AMZN_TRACE_ID = next.headers['lambda-runtime-trace-id'] ?? '';
  try {
    const result = await run(handler, JSON.parse(next.body), next.headers);
    await call('POST', `invocation/${requestId}/response`, JSON.stringify(result ?? null), { 'content-type': 'application/json' });
  } catch (error) {
    await fail(`invocation/${requestId}/error`, error);
  }
}
