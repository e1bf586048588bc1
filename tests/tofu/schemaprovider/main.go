// Command schemaprovider serves any document in the shape of `tofu providers schema -json` as a provider,
// so that the real engine can check, plan and apply a configuration with neither a cloud nor a network.
//
// The program is installed under the name terraform-provider-NAME_vVERSION and serves NAME.json
// from the folder that AETERNA_SCHEMA_DIR names. What it cannot know, it invents (see invent.go).
package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6/tf6server"
)

const (
	schemaDirVariable = "AETERNA_SCHEMA_DIR"
	addressPrefix     = "registry.opentofu.org/hashicorp/"
)

func main() {
	if err := run(os.Args[0], os.Getenv(schemaDirVariable)); err != nil {
		fmt.Fprintln(os.Stderr, "schemaprovider:", err)
		os.Exit(1)
	}
}

func run(program, dir string) error {
	name, err := providerName(program)
	if err != nil {
		return err
	}
	if dir == "" {
		return fmt.Errorf("%s is not set: it names the folder that holds %s.json", schemaDirVariable, name)
	}
	raw, err := os.ReadFile(filepath.Join(dir, name+".json"))
	if err != nil {
		return err
	}
	document, err := parseDocument(raw)
	if err != nil {
		return fmt.Errorf("%s.json: %w", name, err)
	}
	schemas, err := document.schemas()
	if err != nil {
		return fmt.Errorf("%s.json: %w", name, err)
	}
	provider := &server{schemas: schemas}
	return tf6server.Serve(addressPrefix+name, func() tfprotov6.ProviderServer { return provider })
}

// providerName reads the provider's name off the program's own file name, as the engine's plug-in protocol spells it.
func providerName(program string) (string, error) {
	name, found := strings.CutPrefix(filepath.Base(program), "terraform-provider-")
	name, _, _ = strings.Cut(name, "_")
	if !found || name == "" {
		return "", fmt.Errorf("the program is called %q, not terraform-provider-NAME_vVERSION", filepath.Base(program))
	}
	return name, nil
}
