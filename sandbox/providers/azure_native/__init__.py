"""Stand-in for the official azure-native plugin, by inputs only.

There is no server to be had that acts as Azure Resource Manager or as a Key Vault: what a program asks for is
checked, kept in a file and answered as Azure answers. What only Azure itself can refuse (permissions, networks,
quotas, names that others took) is not shown by it. Resource groups, subnets, zones and workspaces that the
program does not make itself are taken to exist.
"""
