// Sets the theme that was chosen before anything is painted. Without a choice the system decides.
'use strict';
try {
  const chosen = localStorage.getItem('theme');
  if (chosen === 'light' || chosen === 'dark') document.documentElement.dataset.theme = chosen;
} catch {
  // No storage is no choice.
}
