// Drive the Node SDKs of Segment and RudderStack: node clients.cjs <segment|rudderstack> <url> <key> <count>
const { Analytics } = require('@segment/analytics-node')
const Rudder = require('@rudderstack/rudder-sdk-node')

const [dialect, url, key, count] = process.argv.slice(2)
const then = new Date(Date.now() - 3600_000)
// RudderStack's SDK writes the time of the call into originalTimestamp unless it is given
const when = dialect === 'rudderstack' ? { originalTimestamp: then } : { timestamp: then }

function calls(client) {
  client.identify({ userId: 'u1', traits: { email: 'ann@example.org', consent: true }, ...when })
  client.page({ userId: 'u1', name: 'Cart', properties: { path: '/cart' }, ...when })
  client.screen({ userId: 'u1', name: 'Cart', properties: {}, ...when })
  client.group({ userId: 'u1', groupId: 'g1', traits: { plan: 'pro' }, ...when })
  client.alias({ userId: 'u1', previousId: 'old', ...when })
  for (let n = 0; n < Number(count); n++) {
    client.track({ userId: 'u1', event: 'Product Added', properties: { n, name: 'Größe ☃' }, ...when })
  }
}

async function segment() {
  const client = new Analytics({ writeKey: key, host: url, flushAt: 15 })
  const errors = []
  client.on('error', (error) => errors.push(String(error.reason || error.code)))
  calls(client)
  await client.closeAndFlush({ timeout: 60000 })
  return errors
}

async function rudderstack() {
  const errors = []
  const client = new Rudder(key, { dataPlaneUrl: url, flushAt: 15, errorHandler: (error) => errors.push(String(error)) })
  calls(client)
  await client.flush()
  await new Promise((done) => setTimeout(done, 3000)) // its flush does not wait for retries
  return errors
}

;({ segment, rudderstack })[dialect]().then((errors) => {
  console.log(JSON.stringify({ errors }))
  process.exit(0)
})
