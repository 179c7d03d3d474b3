// Talks to the server that the page came from; addresses are relative to the page.

const POLL_MS = 400;
const TOKEN = 'tlae-token';  // where the page of `tlae serve` keeps it

function headers() {
  const token = sessionStorage.getItem(TOKEN);
  return token ? {Authorization: `Bearer ${token}`} : {};
}

export async function ask(path, options = {}) {
  let answer;
  try {
    answer = await fetch(path, {...options, headers: {...options.headers, ...headers()}});
  } catch {
    throw new Error('The server does not answer. Is it still running?');
  }
  if (answer.ok) return answer;
  if (answer.status === 401) throw new Error('This server asks for its token: give it on its live page in this tab, then come back.');
  const told = await answer.json().catch(() => ({}));
  throw new Error(told.error || (told.detail ? JSON.stringify(told.detail) : `The server answered ${answer.status}.`));
}

export async function getJson(path) { return (await ask(path)).json(); }
export async function getArray(path, Kind) { return new Kind(await (await ask(path)).arrayBuffer()); }
export function send(verb, path, body) {
  return ask(path, {method: verb, headers: {'Content-Type': 'application/json'}, body: body && JSON.stringify(body)});
}

// Asks until the answer is known; a job that computes it is watched in between.
export async function untilKnown(request, watch = () => {}) {
  for (;;) {
    const answer = await request();
    if (answer.status !== 202) return answer;
    let {job} = await answer.json();
    while (job.state === 'waiting' || job.state === 'running') {
      watch(job);
      await new Promise((resume) => setTimeout(resume, POLL_MS));
      job = await getJson(`api/jobs/${job.id}`);
    }
    watch(job);
    if (job.state !== 'done') throw new Error(job.state === 'failed' ? job.message : `The job was ${job.state}.`);
  }
}

export function getMap(method, dimensions, watch) {
  const path = `api/maps/${method}?dimensions=${dimensions}`;
  return untilKnown(() => ask(path), watch).then(async (answer) => new Float32Array(await answer.arrayBuffer()));
}

// Shows a picture of the server; one that is behind a token cannot be loaded by its address alone.
export async function show(image, path) {
  if (!headers().Authorization) { image.src = path; return; }
  image.src = URL.createObjectURL(await (await ask(path)).blob());
}

export function save(name, text, kind) {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(new Blob([text], {type: kind}));
  link.download = name; link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}
