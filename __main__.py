"""Kestra's secrets and security on Kubernetes; see README.md.

With an engine's address the same folder is the plugin of the component package (PulumiPlugin.yaml, docs/package.md).
"""

import sys

if sys.argv[1:]:
    from components.package.__main__ import command

    command()
else:
    from components.program import deploy

    deploy()
