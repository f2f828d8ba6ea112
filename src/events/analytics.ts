import type { GateEvent, MatchEvent } from './schema.ts'

/** Counts verdicts in a dataset. Its columns are in docs/events.md. */
export function analyticsSink(dataset: AnalyticsEngineDataset): (event: GateEvent) => void {
  return (event) => {
    if (event.event !== 'verdict') return
    const { action, reason, files } = event
    const match = decisive(files.flatMap(({ matches }) => matches ?? []))
    dataset.writeDataPoint({
      indexes: [action], // samples are taken by it: a flood of allowed uploads hides no block
      blobs: [action, reason, match?.bank ?? '', match?.probe ?? ''],
      doubles: [1],
    })
  }
}

/** The match that a verdict goes by: the nearest that is not flooded, if there is one. */
function decisive(matches: readonly MatchEvent[]): MatchEvent | undefined {
  const [first] = matches.toSorted(
    (a, b) =>
      Number(a.isFlooded ?? false) - Number(b.isFlooded ?? false) || a.distance - b.distance,
  )
  return first
}
