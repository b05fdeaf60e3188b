/* Dates of Exif (CIPA DC-008), of XMP (ISO 8601 as in W3C NOTE-datetime) and of people. */
#include "base/date.h"

#include <stdio.h>
#include <string.h>

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* The number of n digits at *at, which moves behind them; -1: they are not there. */
static int take(const char **at, int n)
{
	int value = 0;
	for (int i = 0; i < n; i++) {
		if (!is_digit((*at)[i]))
			return -1;
		value = value * 10 + ((*at)[i] - '0');
	}
	*at += n;
	return value;
}

static bool skip(const char **at, char a, char b)
{
	bool there = **at && (**at == a || **at == b);
	*at += there;
	return there;
}

static int days_of(int year, int month)
{
	static const int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
	return days[month - 1] + (month == 2 && leap);
}

bool ims_zone_parse(const char *text, char zone[ZONE_SIZE])
{
	text += strspn(text, " ");
	zone[0] = 0;
	if (*text == 'Z' || *text == 'z') {
		strcpy(zone, "+00:00");
		return !text[1 + strspn(text + 1, " ")];
	}
	char sign = *text;
	if (sign != '+' && sign != '-')
		return false;
	text++;
	int hours = is_digit(text[0]) && is_digit(text[1]) ? take(&text, 2) : take(&text, 1);
	int minutes = skip(&text, ':', ':') || is_digit(*text) ? take(&text, 2) : 0;
	if (hours < 0 || minutes < 0 || minutes > 59 || hours * 60 + minutes > 14 * 60
		|| text[strspn(text, " ")])
		return false;
	snprintf(zone, ZONE_SIZE, "%c%02d:%02d", sign, hours % 100, minutes);
	return true;
}

/* Digits of a fraction, without the zeros at its end, appended to date. */
static void take_fraction(const char **at, char *date)
{
	size_t n = 0, kept = 0;
	for (; is_digit((*at)[n]); n++)
		if ((*at)[n] != '0' && n < 9)
			kept = n + 1;
	if (kept)
		sprintf(date + strlen(date), ".%.*s", (int)kept, *at);
	*at += n;
}

/* From the hours on. False: it is malformed. */
static bool take_time(const char **at, char *date)
{
	int hour = take(at, 2), minute = skip(at, ':', ':') ? take(at, 2) : -1, second = -1;
	if (hour < 0 || hour > 23 || minute < 0 || minute > 59)
		return false;
	sprintf(date + strlen(date), "T%02d:%02d", hour, minute);
	if (!skip(at, ':', ':'))
		return true;
	second = take(at, 2);
	if (second < 0 || second > 59)
		return false;
	sprintf(date + strlen(date), ":%02d", second);
	if (skip(at, '.', ','))
		take_fraction(at, date);
	return true;
}

/* Year, month and day. False: they do not exist. *whole: up to the day. */
static bool take_day(const char **at, char *date, bool *whole)
{
	int year = take(at, 4), month = 0, day = 0;
	*whole = false;
	if (year < 1)
		return false;
	snprintf(date, DATE_SIZE, "%04d", year);
	if (!skip(at, '-', ':'))
		return true;
	month = take(at, 2);
	if (month < 1 || month > 12)
		return false;
	snprintf(date, DATE_SIZE, "%04d-%02d", year, month);
	if (!skip(at, '-', ':'))
		return true;
	day = take(at, 2);
	if (day < 1 || day > days_of(year, month))
		return false;
	snprintf(date, DATE_SIZE, "%04d-%02d-%02d", year, month, day);
	*whole = true;
	return true;
}

bool ims_date_parse(const char *text, char date[DATE_SIZE], char zone[ZONE_SIZE])
{
	bool whole;
	const char *at = text + strspn(text, " ");
	date[0] = zone[0] = 0;
	if (!take_day(&at, date, &whole))
		return false;
	if (whole && (*at == 'T' || *at == ' ') && is_digit(at[1])) {
		at++;
		if (!take_time(&at, date))
			return false;
		at += strspn(at, " ");
		if (*at == 'Z' || *at == 'z' || *at == '+' || *at == '-') {
			ims_zone_parse(at, zone);
			return true;
		}
	}
	return !at[strspn(at, " ")];
}
