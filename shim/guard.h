/*
 * The exception guard: no exception leaves a function of the table. It becomes a status, and its
 * text the caller's message.
 */
#ifndef IMS_SHIM_GUARD_H
#define IMS_SHIM_GUARD_H

#include "shim/network.h"

#include <cstdio>
#include <cstring>

namespace ims
{

/* The first line of the text, without libtorch's stack trace. */
inline void set_message(shim_message *msg, const char *text)
{
	snprintf(msg->text, sizeof msg->text, "%.*s", (int)strcspn(text, "\n"), text);
}

/* Runs body. Returns 0 or a negative imgsearch_status. */
template <typename F> int guard(shim_message *msg, F body) noexcept
{
	try {
		body();
		return 0;
	} catch (const failure &e) {
		set_message(msg, e.what());
		return e.code;
	} catch (const c10::Error &e) {
		set_message(msg, e.what_without_backtrace());
		return strstr(e.what_without_backtrace(), "can't allocate memory") ? NOMEM : MODEL;
	} catch (const std::bad_alloc &) {
		set_message(msg, "out of memory");
		return NOMEM;
	} catch (const std::exception &e) {
		set_message(msg, e.what());
		return MODEL;
	} catch (...) {
		set_message(msg, "an exception of an unknown kind");
		return MODEL;
	}
}

} // namespace ims

#endif
