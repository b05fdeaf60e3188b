/* One request. */
#include "cli/serve/exchange.h"

const char *exchange_param(const exchange *x, const char *name)
{
	return MHD_lookup_connection_value(x->connection, MHD_GET_ARGUMENT_KIND, name);
}

const char *exchange_header(const exchange *x, const char *name)
{
	return MHD_lookup_connection_value(x->connection, MHD_HEADER_KIND, name);
}

const char *exchange_body(const exchange *x)
{
	return x->body ? x->body : "";
}
