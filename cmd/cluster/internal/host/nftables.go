package host

import "github.com/google/nftables"

// RemoveTable removes the table of that name from nftables' family inet, if there is one.
// A kernel without nftables has none.
func RemoveTable(name string) error {
	connection, err := nftables.New()
	if err != nil {
		return err
	}
	tables, err := connection.ListTablesOfFamily(nftables.TableFamilyINet)
	if err != nil {
		return nil
	}
	for _, table := range tables {
		if table.Name == name {
			connection.DelTable(table)
			return connection.Flush()
		}
	}
	return nil
}
