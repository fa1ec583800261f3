dist_man_MANS += \
	man/acme-dme.1 \
	man/acme-dme.yaml.5 \
	man/acme-dme-hooks.7
