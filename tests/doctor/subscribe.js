// A subscriber made of mqtt.js: node subscribe.js URL VERSION FILTER [USER PASSWORD]
// Prints "ready" once subscribed, then "TOPIC PAYLOAD" for each message.
const mqtt = require('mqtt');

const [url, version, filter, username, password] = process.argv.slice(2);
const client = mqtt.connect(url, { protocolVersion: Number(version), username, password, reconnectPeriod: 0 });
client.on('connect', () => client.subscribe(filter, (error, granted) => console.log(error || granted[0].qos > 2 ? 'refused' : 'ready')));
client.on('message', (topic, payload) => console.log(`${topic} ${payload}`));
client.on('error', (error) => { console.log(`error ${error.message}`); process.exit(1); });
client.on('close', () => process.exit(0));
