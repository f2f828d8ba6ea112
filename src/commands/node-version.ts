// The command imports this first: an older Node would fail later, with a worse message.

/** Oldest supported Node, as in package.json's `engines`. */
const LEAST_NODE = 24

if (Number(process.versions.node.split('.')[0]) < LEAST_NODE) {
  console.error(
    `hashgate needs Node ${LEAST_NODE} or newer; this is ${process.versions.node} (${process.execPath})`,
  )
  process.exit(1)
}
