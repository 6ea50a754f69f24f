#!/usr/bin/env bash
# A database and a role for each service and for the registry; no role enters another's database. Run by the image of
# postgres when it finds its volume empty.
set -euo pipefail

for name in order inventory payment notification registry; do
	password=${name^^}_DB_PASSWORD
	psql -v ON_ERROR_STOP=1 -q -U postgres --set name="$name" --set password="${!password}" <<-'SQL'
		CREATE ROLE :"name" LOGIN PASSWORD :'password';
		CREATE DATABASE :"name" OWNER :"name";
		REVOKE ALL ON DATABASE :"name" FROM PUBLIC;
	SQL
done
