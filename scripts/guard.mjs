// Says in plain words that Node is too old, before a syntax error does.
// Plain JavaScript on purpose: it has to run on whatever Node the machine has.
const major = Number(process.versions.node.split('.')[0])
if (major < 24) {
  console.error(
    `Linkspan needs Node 24 or newer; this is Node ${process.versions.node}.\n` +
      'Either run "npm ci" with npm 11 or newer (it brings Node 24 along for "npm run"; "npm install -g npm@11" upgrades npm),\n' +
      'or install Node 24 from your system or nodejs.org and run the command again.',
  )
  process.exit(1)
}
