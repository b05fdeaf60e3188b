/* One request. */
#include "cli/serve/exchange.h"

#include <string.h>

const char *exchange_param(const exchange *x, const char *name)
{
	return MHD_lookup_connection_value(x->connection, MHD_GET_ARGUMENT_KIND, name);
}

bool exchange_find(const exchange *x, const char *name, const char **value)
{
	return MHD_lookup_connection_value_n(x->connection, MHD_GET_ARGUMENT_KIND, name, strlen(name),
			   value, NULL)
		== MHD_YES;
}

const char *exchange_header(const exchange *x, const char *name)
{
	return MHD_lookup_connection_value(x->connection, MHD_HEADER_KIND, name);
}

const char *exchange_body(const exchange *x)
{
	return x->body ? x->body : "";
}
