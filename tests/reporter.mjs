// A reporter for node --test: one JSON object a line, read by run.mjs. What a test says of itself (t.diagnostic) is {note}.
export default async function* reporter(events) {
  for await (const { type, data } of events) {
    if (type === 'test:diagnostic' && data.file) yield JSON.stringify({ note: data.message }) + '\n';
    if (type !== 'test:pass' && type !== 'test:fail') continue;
    if (data.details?.type === 'suite') continue;
    const error = data.details?.error;
    const why = error ? String(error.cause?.stack ?? error.cause ?? error.stack ?? error) : '';
    yield JSON.stringify({ name: data.name, file: data.file ?? '', ok: type === 'test:pass' || Boolean(data.todo), skip: Boolean(data.skip), why }) + '\n';
  }
}
