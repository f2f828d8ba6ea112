import * as v from 'valibot'
import { BodySettings } from '../body/settings.ts'
import { ApiSettings } from '../doors/api/settings.ts'
import { HealthSettings, OriginSettings } from '../doors/proxy/settings.ts'
import { S3Settings } from '../doors/s3/settings.ts'
import { TicketSettings } from '../doors/tickets/settings.ts'
import { TusSettings } from '../doors/tus/settings.ts'
import { EventSettings } from '../events/settings.ts'
import { FloodSettings } from '../gate/flood/settings.ts'
import { RemoteSettings } from '../match/remote/settings.ts'
import { ListSettings } from '../match/settings.ts'
import { PolicySettings } from '../policy/schema.ts'
import { QuarantineSettings } from '../quarantine/settings.ts'
import { ScanSettings } from '../scan/settings.ts'
import { StagingSettings, UploadSettings } from '../upload/settings.ts'
import { choice, group } from '../util/settings.ts'
import { PRESET_NAMES } from './presets.ts'

const preset = v.optional(
  choice(PRESET_NAMES, 'A named set of defaults. Each setting of yours overrides the preset.'),
)

/** Settings of judging and of what feeds it. The Worker and the library share them. */
const judging = {
  preset,
  origin: OriginSettings,
  upload: UploadSettings,
  body: BodySettings,
  scan: ScanSettings,
  list: ListSettings,
  policy: PolicySettings,
  flood: FloodSettings,
  quarantine: QuarantineSettings,
  remote: RemoteSettings,
  health: HealthSettings,
}

export const SettingsSchema = group({
  ...judging,
  events: EventSettings,
  api: ApiSettings,
  tickets: TicketSettings,
  tus: TusSettings,
  s3: S3Settings,
  staging: StagingSettings,
})

/** Settings of the library. The app decides where requests and events go. */
export const LibrarySchema = group(judging)

/** What an operator may write. */
export type Settings = v.InferInput<typeof SettingsSchema>
/** What an app may pass to `gate`. */
export type LibrarySettings = v.InferInput<typeof LibrarySchema>

/** All settings, as they are in effect. */
export interface Config extends v.InferOutput<typeof SettingsSchema> {
  origin: v.InferOutput<typeof SettingsSchema>['origin'] & {
    /** The variable ORIGIN_URL. */
    url?: URL
  }
}
