/** Where events can go. */
export const SINK_NAMES = ['console', 'queue', 'analytics'] as const

export type SinkName = (typeof SINK_NAMES)[number]

/** Which events the queue takes: `notable` are all but uploads that were passed on with nothing found. */
export const QUEUE_CHOICES = ['all', 'notable'] as const

/** Which events go where. */
export interface SinkSettings {
  eventSinks: ReadonlySet<SinkName>
  queueEvents: (typeof QUEUE_CHOICES)[number]
}
