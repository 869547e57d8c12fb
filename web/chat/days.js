import { LANGUAGE, TEXTS } from "./texts.js";

const DAY = 86_400_000;

/**
 * The heading below which a conversation stands in the list: a day that is
 * near, else a month.
 */
export function dayOf(time, now) {
  const midnight = new Date(now).setHours(0, 0, 0, 0);
  const { today, yesterday, week } = TEXTS.sidebar.days;
  if (time >= midnight) return today;
  if (time >= midnight - DAY) return yesterday;
  if (time >= midnight - 6 * DAY) return week;
  return new Intl.DateTimeFormat(LANGUAGE, { month: "long", year: "numeric" }).format(time);
}

/** A point in time, in full. */
export const moment = (time) => new Intl.DateTimeFormat(LANGUAGE, { dateStyle: "medium", timeStyle: "short" }).format(time);
