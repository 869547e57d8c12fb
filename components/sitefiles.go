package components

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/s3"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	page "github.com/streaming-service/streaming-service/web/build"
)

// siteConfig is the name of the file in which the page finds its service.
const siteConfig = "config.json"

// newSiteFiles puts the page into its bucket. The page itself comes last, when
// all that it names is there.
func (b *build) newSiteFiles() error {
	if !b.hasSite() {
		return nil
	}
	files, err := page.Page()
	if err != nil {
		return fmt.Errorf("making the page: %w", err)
	}
	index := files[page.Index]
	delete(files, page.Index)
	config, err := b.newSiteFile(siteConfig, b.siteConfiguration(), page.File{ContentType: "application/json", CacheControl: page.Revalidate})
	if err != nil {
		return err
	}
	before := []pulumi.Resource{config}
	for _, name := range slices.Sorted(maps.Keys(files)) {
		// Open tabs of an earlier page load parts of it later, so these outlive
		// its update, and go with the bucket.
		object, err := b.newSiteFile(name, pulumi.String(files[name].Content), files[name], pulumi.RetainOnDelete(true))
		if err != nil {
			return err
		}
		before = append(before, object)
	}
	_, err = b.newSiteFile(page.Index, pulumi.String(index.Content), index, pulumi.DependsOn(before))
	return err
}

func (b *build) newSiteFile(name string, content pulumi.StringInput, file page.File, more ...pulumi.ResourceOption) (*s3.BucketObjectv2, error) {
	object, err := s3.NewBucketObjectv2(b.ctx, b.child("site-file-"+name), &s3.BucketObjectv2Args{
		Bucket:       b.site.bucket.ID(),
		Key:          pulumi.String(name),
		Content:      content.ToStringOutput().ToStringPtrOutput(),
		ContentType:  pulumi.String(file.ContentType),
		CacheControl: pulumi.String(file.CacheControl),
	}, b.options(more...)...)
	if err != nil {
		return nil, fmt.Errorf("creating file %s of the page: %w", name, err)
	}
	return object, nil
}

// siteConfiguration are the outputs that the page reads: none of them is secret,
// and no other is there.
func (b *build) siteConfiguration() pulumi.StringOutput {
	return pulumi.All(b.domains.restURL, b.domains.webSocketURL, b.place.region, b.auth.clientID, b.auth.signIn).ApplyT(func(v []any) (string, error) {
		text, err := json.MarshalIndent(struct {
			RestURL          any `json:"restUrl"`
			WebSocketURL     any `json:"webSocketUrl"`
			Region           any `json:"region"`
			UserPoolClientID any `json:"userPoolClientId"`
			SignIn           any `json:"signIn"`
		}{v[0], v[1], v[2], v[3], v[4]}, "", "  ")
		if err != nil {
			return "", fmt.Errorf("encoding %s: %w", siteConfig, err)
		}
		return string(text) + "\n", nil
	}).(pulumi.StringOutput)
}
