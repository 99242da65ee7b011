/* What lives on this device only: drafts, their pages, and the last answers for reading offline. */

const NAME = "huzheng";
const STORES = ["drafts", "pages", "kept"] as const;
type Store = (typeof STORES)[number];

let opened: Promise<IDBDatabase> | null = null;

function open(): Promise<IDBDatabase> {
  opened ||= new Promise<IDBDatabase>((resolve, reject) => {
    const rq = indexedDB.open(NAME, 1);
    rq.onupgradeneeded = () => STORES.forEach((s) => rq.result.createObjectStore(s));
    rq.onsuccess = () => resolve(rq.result);
    rq.onerror = () => reject(rq.error);
  }).catch((x: unknown) => { opened = null; throw x; });
  return opened;
}

async function run<T>(store: Store, mode: IDBTransactionMode, ask: (s: IDBObjectStore) => IDBRequest<T>): Promise<T> {
  const db = await open();
  return new Promise<T>((resolve, reject) => {
    const tx = db.transaction(store, mode);
    const rq = ask(tx.objectStore(store));
    /* A write counts when the transaction is complete, not when the request is: "已保存" is said after it. */
    tx.oncomplete = () => resolve(rq.result);
    tx.onerror = tx.onabort = () => reject(tx.error || rq.error);
  });
}

export const put = (store: Store, key: string, value: unknown): Promise<unknown> => run(store, "readwrite", (s) => s.put(value, key));
export const get = <T>(store: Store, key: string): Promise<T | undefined> => run<T | undefined>(store, "readonly", (s) => s.get(key) as IDBRequest<T | undefined>);
export const all = <T>(store: Store): Promise<T[]> => run<T[]>(store, "readonly", (s) => s.getAll() as IDBRequest<T[]>);
export const remove = (store: Store, key: string): Promise<unknown> => run(store, "readwrite", (s) => s.delete(key));

/* Kept answers are a convenience: a device that refuses storage still works online. */
export const keep = (key: string, value: unknown): Promise<unknown> => put("kept", key, value).catch(() => undefined);
export const kept = <T>(key: string): Promise<T | undefined> => get<T>("kept", key).catch(() => undefined);
