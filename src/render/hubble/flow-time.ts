/** How a time in JSON form (`2006-01-02T15:04:05.123456789Z`, UTC) is printed. */
export interface TimeLayout {
  /** What stands before and behind the fraction of a second, which is given without it. */
  second(second: string): readonly [string, string];
  /** Digits of the fraction. */
  digits: number;
  /** Zeros at the end of the fraction are left out, and a dot stands in front of what is left of it. */
  trimmed: boolean;
}

/** Turns such a time into text. */
export type TimeFormat = ((time: string) => string) & { readonly layout: TimeLayout };

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
const DAYS = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'];

/** What stands for a time that is not set. */
export const NO_TIME = 'N/A';

const layout = (second: TimeLayout['second'], digits = 0, trimmed = true): TimeLayout => ({
  second,
  digits,
  trimmed,
});

const STAMP_MILLI = layout(
  (second) => {
    const day = second.slice(8, 10);
    return [`${month(second)} ${day.startsWith('0') ? ` ${day.slice(1)}` : day} ${second.slice(11)}.`, ''];
  },
  3,
  false,
);

/** The layouts by the name that `--time-format` takes, in the order of help. */
const LAYOUTS: Readonly<Record<string, TimeLayout>> = {
  YearMonthDay: layout((second) => [second.slice(0, 10), '']),
  YearMonthDayHour: layout((second) => [second.slice(0, 13), 'Z']),
  YearMonthDayHourMinute: layout((second) => [second.slice(0, 16), 'Z']),
  StampMilli: STAMP_MILLI,
  RFC3339: layout((second) => [second, 'Z']),
  RFC3339Milli: layout((second) => [second, 'Z'], 3),
  RFC3339Micro: layout((second) => [second, 'Z'], 6),
  RFC3339Nano: layout((second) => [second, 'Z'], 9),
  RFC1123Z: layout((second) => [
    `${DAYS[new Date(`${second}Z`).getUTCDay()]}, ${second.slice(8, 10)} ${month(second)} ${second.slice(0, 4)} ${second.slice(11)} +0000`,
    '',
  ]),
};

/** Names of layouts of a time. */
export const TIME_FORMATS = Object.keys(LAYOUTS);

/** Length of a time without its fraction. */
const SECOND_LENGTH = 19;

/** The layout of a name, in any case; StampMilli for a name that there is not. */
export function timeFormat(name: string): TimeFormat {
  const known = TIME_FORMATS.find((format) => format.toLowerCase() === name.toLowerCase()) ?? '';
  const chosen = LAYOUTS[known] ?? STAMP_MILLI;
  const format = (time: string) => {
    if (time === '') return NO_TIME;
    const [before, behind] = chosen.second(time.slice(0, SECOND_LENGTH));
    return before + fraction(time, chosen) + behind;
  };
  return Object.assign(format, { layout: chosen });
}

/** The layout of a time that is text already. */
export function printedTime({ layout }: TimeFormat): TimeFormat {
  return Object.assign((time: string) => (time === '' ? NO_TIME : time), { layout });
}

function month(time: string): string {
  return MONTHS[Number(time.slice(5, 7)) - 1] ?? '';
}

function fraction(time: string, { digits, trimmed }: TimeLayout): string {
  const shown = time.slice(SECOND_LENGTH + 1, -1).slice(0, digits);
  if (!trimmed) return shown.padEnd(digits, '0');
  const rest = shown.replace(/0+$/, '');
  return rest && `.${rest}`;
}
