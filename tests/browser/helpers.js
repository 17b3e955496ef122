// What the pages of the tests have at hand.

const lines = [], connections = [], problems = [];
let client;

// Connects with mqtt.js; what is heard is collected in the arrays above.
function connect(url, options) {
  client = mqtt.connect(url, { reconnectPeriod: 100, ...options });
  client.on('connect', ({ sessionPresent }) => connections.push(sessionPresent));
  client.on('message', (topic, payload) => lines.push(`${topic} ${payload}`));
  client.on('error', (error) => problems.push(error.message));
  client.on('disconnect', ({ reasonCode }) => problems.push(`0x${reasonCode.toString(16)}`));
  return new Promise((resolve) => { client.once('connect', resolve); client.once('close', resolve); });
}

// The granted QoS.
function subscribe(filter, qos = 0) {
  return new Promise((resolve, reject) =>
    client.subscribe(filter, { qos }, (error, granted) => error ? reject(error) : resolve(granted[0].qos)));
}

function publish(topic, payload, options = {}) {
  return new Promise((resolve, reject) =>
    client.publish(topic, payload, options, (error) => error ? reject(error) : resolve()));
}

// What a page may see of an answer.
async function ask(url, { headers = {}, ...options } = {}) {
  const answer = await fetch(url, { headers, ...options });
  const text = await answer.text();
  return { status: answer.status, revision: answer.headers.get('Doctor-Revision'), etag: answer.headers.get('ETag'),
           json: text ? JSON.parse(text) : null };
}
