import type { ScanBudget } from '../budget.ts'
import { ROW_BYTE_MS } from '../work.ts'

/** Samples that the rows of any file may have, on top of those for each of its bytes. */
const FREE_SAMPLES = 40_000_000

/** Limits the rows of samples that a file can make a decoder in TypeScript process. */
export class RowWork {
  #samples: number
  protected readonly budget: ScanBudget

  /** @param perByte samples for each byte of the file */
  constructor(fileBytes: number, perByte: number, budget: ScanBudget) {
    this.budget = budget
    this.#samples = FREE_SAMPLES + perByte * fileBytes
  }

  /**
   * Takes samples, or their bytes if these are more. Returns whether that many were left. Each is
   * charged as it arrives.
   */
  takeRows(samples: number): boolean {
    this.#samples -= samples
    return this.#samples >= 0
  }

  spendRow(samples: number): void {
    this.budget.spend(samples * ROW_BYTE_MS)
  }
}
