// Strokes that are not saved yet, in the browser's own database: a lost connection, a closed lid or
// a reload takes none of them.

function open() {
  return new Promise((resolve, reject) => {
    const asked = indexedDB.open("packshot", 1);
    asked.onupgradeneeded = () => asked.result.createObjectStore("drafts");
    asked.onsuccess = () => resolve(asked.result);
    asked.onerror = () => reject(asked.error);
  });
}

async function run(mode, act) {
  const database = await open();
  try {
    return await new Promise((resolve, reject) => {
      const moved = database.transaction("drafts", mode);
      const asked = act(moved.objectStore("drafts"));
      moved.oncomplete = () => resolve(asked.result);
      moved.onerror = moved.onabort = () => reject(moved.error);
    });
  } finally {
    database.close();
  }
}

export const keepDraft = (key, ops) => run("readwrite", (store) => store.put(ops, key));
export const readDraft = (key) => run("readonly", (store) => store.get(key));
export const dropDraft = (key) => run("readwrite", (store) => store.delete(key));
