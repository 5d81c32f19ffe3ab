/** Transactions over the database and over the maps in memory: both are undone together. */
import type { DatabaseSync } from 'node:sqlite'
import { isSqliteFailure, StoreError, storeError } from './error.ts'

export interface Transactions {
  /** Runs `work` durably; nested calls are undone on their own. */
  run<T>(work: () => T): T
  /** Says how a change in memory is taken back if the transaction under way fails. */
  onUndo(back: () => void): void
}

export function createTransactions(database: DatabaseSync, path: string): Transactions {
  const undos: (() => void)[] = []
  let depth = 0

  const begin = (): void => {
    if (depth === 0) {
      database.exec('BEGIN IMMEDIATE')
      return
    }
    // A full disk undoes the whole transaction at once; what follows in the same work must not be kept on its own.
    if (!database.isTransaction) throw new StoreError('failed', `the transaction on ${path} has already been rolled back`)
    database.exec(`SAVEPOINT nested${depth}`)
  }
  const commit = (): void => database.exec(depth === 0 ? 'COMMIT' : `RELEASE nested${depth}`)
  const rollback = (): void => {
    if (!database.isTransaction) return
    database.exec(depth === 0 ? 'ROLLBACK' : `ROLLBACK TO nested${depth}; RELEASE nested${depth}`)
  }
  const takeBack = (mark: number): void => {
    for (const back of undos.splice(mark).reverse()) back()
  }

  function run<T>(work: () => T): T {
    const mark = undos.length
    try {
      begin()
    } catch (error) {
      throw storeError(error, path, 'write')
    }
    try {
      depth += 1
      const result = settle(work)
      commit()
      return result
    } catch (error) {
      takeBack(mark)
      rollback()
      throw isSqliteFailure(error) ? storeError(error, path, 'write') : error
    } finally {
      if (depth === 0) undos.length = 0
    }
  }

  /** The level of `work` ends with it, before its commit or rollback. */
  function settle<T>(work: () => T): T {
    try {
      const result = work()
      if (result instanceof Promise) throw new TypeError('a transaction of the store is synchronous; its work returned a promise')
      return result
    } finally {
      depth -= 1
    }
  }

  return { run, onUndo: (back) => undos.push(back) }
}
