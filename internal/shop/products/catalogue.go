package products

import (
	"embed"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/koshop/koshop/internal/shop/api"
)

//go:embed catalogue.json
var catalogueJSON []byte

//go:embed pictures/*.svg
var pictures embed.FS

// similar is the ratio above which a name resembles what is searched for.
const similar = 0.75

// Catalogue is the products of the shop, in the order they are shown.
type Catalogue []api.Product

// Load reads the embedded catalogue.
func Load() (Catalogue, error) {
	var c Catalogue
	if err := json.Unmarshal(catalogueJSON, &c); err != nil {
		return nil, fmt.Errorf("read the catalogue: %w", err)
	}
	return c, nil
}

// ByID returns the product with the id.
func (c Catalogue) ByID(id string) (api.Product, bool) {
	i := slices.IndexFunc(c, func(p api.Product) bool { return p.ID == id })
	if i < 0 {
		return api.Product{}, false
	}
	return c[i], true
}

// InCategory returns the products of a category, in any case of letters.
func (c Catalogue) InCategory(category string) []api.Product {
	return c.filter(func(p api.Product) bool {
		return slices.ContainsFunc(p.Categories, func(s string) bool { return strings.EqualFold(s, category) })
	})
}

// Search returns the products whose name contains the text or resembles it as
// a whole, in any case of letters. Single words of a name are not compared: the
// seed does not, and a word out of a name is found as a part of it anyway.
func (c Catalogue) Search(text string) []api.Product {
	text = strings.ToLower(text)
	return c.filter(func(p api.Product) bool {
		name := strings.ToLower(p.Name)
		return strings.Contains(name, text) || ratio(text, name) > similar
	})
}

func (c Catalogue) filter(keep func(api.Product) bool) []api.Product {
	var found []api.Product
	for _, p := range c {
		if keep(p) {
			found = append(found, p)
		}
	}
	return found
}
