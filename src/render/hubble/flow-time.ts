/** Turns a time in JSON form (`2006-01-02T15:04:05.123456789Z`, UTC) into text. */
export type TimeFormat = (time: string) => string;

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
const DAYS = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'];

/** What stands for a time that is not set. */
const NO_TIME = 'N/A';

/** The layouts by the name that `--time-format` takes, in the order of help. */
const LAYOUTS: Readonly<Record<string, TimeFormat>> = {
  YearMonthDay: (time) => time.slice(0, 10),
  YearMonthDayHour: (time) => `${time.slice(0, 13)}Z`,
  YearMonthDayHourMinute: (time) => `${time.slice(0, 16)}Z`,
  StampMilli: stampMilli,
  RFC3339: (time) => `${time.slice(0, 19)}Z`,
  RFC3339Milli: (time) => `${time.slice(0, 19)}${fraction(time, 3)}Z`,
  RFC3339Micro: (time) => `${time.slice(0, 19)}${fraction(time, 6)}Z`,
  RFC3339Nano: (time) => `${time.slice(0, 19)}${fraction(time, 9)}Z`,
  RFC1123Z: (time) =>
    `${DAYS[new Date(time).getUTCDay()]}, ${time.slice(8, 10)} ${month(time)} ${time.slice(0, 4)} ${time.slice(11, 19)} +0000`,
};

const TIME_FORMATS = Object.keys(LAYOUTS);

/** The layout of a name, in any case; StampMilli for a name that there is not. */
export function timeFormat(name: string): TimeFormat {
  const known = TIME_FORMATS.find((format) => format.toLowerCase() === name.toLowerCase()) ?? '';
  const layout = LAYOUTS[known] ?? stampMilli;
  return (time) => (time === '' ? NO_TIME : layout(time));
}

let lastSecond = '';
let lastStamp = '';

function stampMilli(time: string): string {
  const second = time.slice(0, 19);
  // Flows come in runs of the same second.
  if (second !== lastSecond) {
    const day = time.slice(8, 10);
    lastStamp = `${month(time)} ${day.startsWith('0') ? ` ${day.slice(1)}` : day} ${time.slice(11, 19)}.`;
    lastSecond = second;
  }
  return lastStamp + (time.length > 20 ? time.slice(20, 23) : '000');
}

function month(time: string): string {
  return MONTHS[Number(time.slice(5, 7)) - 1] ?? '';
}

/** At most `digits` digits of the second's fraction, without the zeros at its end. */
function fraction(time: string, digits: number): string {
  const shown = time.slice(20, -1).slice(0, digits).replace(/0+$/, '');
  return shown && `.${shown}`;
}
