package main

import (
	"encoding/json"
	"errors"
	"fmt"
)

// document is one provider's schema, as `tofu providers schema -json` prints it below "provider_schemas".
type document struct {
	Provider    resourceSchema            `json:"provider"`
	Resources   map[string]resourceSchema `json:"resource_schemas"`
	DataSources map[string]resourceSchema `json:"data_source_schemas"`
	Ephemerals  map[string]resourceSchema `json:"ephemeral_resource_schemas"`
}

type resourceSchema struct {
	Version int64 `json:"version"`
	Block   block `json:"block"`
}

type block struct {
	Attributes map[string]attribute   `json:"attributes"`
	BlockTypes map[string]nestedBlock `json:"block_types"`
}

type nestedBlock struct {
	NestingMode string `json:"nesting_mode"`
	MinItems    int64  `json:"min_items"`
	MaxItems    int64  `json:"max_items"`
	Block       block  `json:"block"`
}

type attribute struct {
	Type       json.RawMessage `json:"type"`
	NestedType *nestedType     `json:"nested_type"`
	Required   bool            `json:"required"`
	Optional   bool            `json:"optional"`
	Computed   bool            `json:"computed"`
	Sensitive  bool            `json:"sensitive"`
	WriteOnly  bool            `json:"write_only"`
	Deprecated bool            `json:"deprecated"`
}

type nestedType struct {
	NestingMode string               `json:"nesting_mode"`
	Attributes  map[string]attribute `json:"attributes"`
}

// parseDocument reads a schema document, with or without the outer wrapper of `providers schema -json`.
func parseDocument(raw []byte) (document, error) {
	var wrapped struct {
		Providers map[string]document `json:"provider_schemas"`
	}
	if err := json.Unmarshal(raw, &wrapped); err != nil {
		return document{}, err
	}
	switch len(wrapped.Providers) {
	case 0:
		var bare document
		if err := json.Unmarshal(raw, &bare); err != nil {
			return document{}, err
		}
		if len(bare.Resources)+len(bare.DataSources)+len(bare.Ephemerals) == 0 {
			return document{}, errors.New("it describes no resource, no data source and no ephemeral resource")
		}
		return bare, nil
	case 1:
		for _, only := range wrapped.Providers {
			return only, nil
		}
	}
	return document{}, fmt.Errorf("it describes %d providers; one program serves one", len(wrapped.Providers))
}
