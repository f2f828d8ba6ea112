// What the command imports first: an older Node would fail later, and say less.

/** Least version of Node, as `engines` in package.json has it. */
const LEAST_NODE = 24

if (Number(process.versions.node.split('.')[0]) < LEAST_NODE) {
  console.error(
    `hashgate needs Node ${LEAST_NODE} or newer; this is ${process.versions.node} (${process.execPath})`,
  )
  process.exit(1)
}
