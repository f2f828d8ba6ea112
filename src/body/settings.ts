import * as v from 'valibot'
import { listOf, MAX_FORM_FILES, optionalGroup, wholeNumber } from '../util/settings.ts'

/** How files are found in bodies. */
export const BodySettings = optionalGroup(
  {
    maxFiles: v.optional(wholeNumber(1, MAX_FORM_FILES, 'Files that a form may have.'), 100),
    base64Fields: v.optional(
      listOf(
        v.pipe(v.string('must be text'), v.nonEmpty('must not be empty')),
        'Fields of JSON and urlencoded bodies that hold files in base64, whatever they begin with.',
      ),
      [],
    ),
  },
  'How files are found in the bodies of requests.',
)
export type BodySettings = v.InferOutput<typeof BodySettings>
