import type { GateEvent, MatchEvent, VerdictEvent } from './schema.ts'

/** Counts verdicts in a dataset. Its columns are in docs/events.md. */
export function analyticsSink(dataset: AnalyticsEngineDataset): (event: GateEvent) => void {
  return (event) => {
    if (event.event !== 'verdict') return
    const { action, reason, isShadow } = event
    const match = decisive(event)
    const mode = isShadow ? 'shadow' : 'enforce'
    dataset.writeDataPoint({
      indexes: [action], // sampling is by index, so a flood of allowed uploads hides no block
      blobs: [action, reason, match?.bank ?? '', match?.probe ?? '', match?.harm ?? '', mode],
      doubles: [1],
    })
  }
}

/** The match behind a verdict: the nearest of those that lead to it. */
function decisive({ action, files }: VerdictEvent): MatchEvent | undefined {
  const leadsElsewhere = ({ isFlooded, ...match }: MatchEvent) =>
    (isFlooded ? 'flag' : match.action) !== action
  const [first] = files
    .flatMap(({ matches }) => matches ?? [])
    .filter(({ isExempt }) => !isExempt)
    .toSorted(
      (a, b) => Number(leadsElsewhere(a)) - Number(leadsElsewhere(b)) || a.distance - b.distance,
    )
  return first
}
