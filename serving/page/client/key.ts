import { byId } from './dom.js';

/** Where the API key lies: in this tab, until it is closed. */
const STORAGE_NAME = 'mer-api-key';

export function storedKey(): string | null {
  return sessionStorage.getItem(STORAGE_NAME);
}

/** Forgets a key that was refused and asks for one. @returns whether one was given */
export function askForKey(): Promise<boolean> {
  const dialog = byId('key-dialog', HTMLDialogElement);
  const field = byId('key', HTMLInputElement);
  sessionStorage.removeItem(STORAGE_NAME);
  field.value = '';
  dialog.returnValue = '';
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener(
      'close',
      () => {
        const key = field.value.trim();
        const given = dialog.returnValue === 'save' && key !== '';
        if (given) sessionStorage.setItem(STORAGE_NAME, key);
        resolve(given);
      },
      { once: true },
    );
  });
}
