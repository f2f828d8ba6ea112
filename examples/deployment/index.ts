import { createWorker, quarantine, tus } from 'hashgate/features'
export { FloodCounter, ListPin, ListShard, StagedUpload } from 'hashgate/objects'
export default createWorker({ features: [tus(), quarantine()] })
